"""The staff's pages: an application of its own below /staff, with its own login, cookie and policy."""
