"""What was found, as blocks: one function per section of a notebook."""
