"""The tables and the figure of the paper's section 4, trained and measured again, row by row."""
