"""Speed and memory of `retail run` beside DuckDB, Polars, pandas and Spark. See README.md."""
