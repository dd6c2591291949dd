"""Who may enter the staff's pages: accounts, passwords, sessions."""
