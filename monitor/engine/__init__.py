"""One engine for every use: rows to counts, counts to windows, windows to incidents."""
