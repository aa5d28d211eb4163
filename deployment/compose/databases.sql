-- Run once, when the volume is empty: Dagster's database, beside the one of the output tables.
CREATE DATABASE dagster;
