DROP INDEX orders_count_idx;
