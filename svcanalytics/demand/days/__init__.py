"""What is known of days: their class, festivals, events, regressors, and what these do to demand."""
