"""What a report says, fetched and computed from one snapshot; nothing in here is text for readers but names."""
