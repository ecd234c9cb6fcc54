SELECT 'dbkit.check()'::regprocedure;
