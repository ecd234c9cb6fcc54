\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit
