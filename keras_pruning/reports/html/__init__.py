"""Self-contained HTML pages: sections, tables and charts in one file that fetches nothing."""
