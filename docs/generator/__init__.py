"""Writers of the reference pages: each makes one page from the code."""
