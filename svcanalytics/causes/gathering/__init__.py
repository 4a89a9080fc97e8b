"""What an analysis of causes looks at: plain frames, gathered from a lake or made by anybody."""
