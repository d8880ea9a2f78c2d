"""Who does the work: this process, or several. One module each; the result is the same."""
