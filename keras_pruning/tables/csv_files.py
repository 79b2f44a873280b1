"""Writes CSV files, as `keras_pruning.storage.csv_files` does."""

from keras_pruning.storage.csv_files import spreadsheet_text as spreadsheet_text
from keras_pruning.storage.csv_files import write_csv as write_csv
