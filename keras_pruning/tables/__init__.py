"""Tables of one row for each example: `ScoreTable`, and the Parquet files it is stored in."""
