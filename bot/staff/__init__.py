"""What staff work on: accounts, answers to check, approved answers, insight."""
