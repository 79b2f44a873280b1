"""The page of a comparison of finished runs, one file for each section."""
