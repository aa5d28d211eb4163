"""What people type: one file a command. Thin: a command reads its options, calls, and prints."""
