"""From findings to the state of a series: what is pending, firing or not seen."""
