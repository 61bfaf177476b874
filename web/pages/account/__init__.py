"""The pages of one's own account: profile, ways in, audit trail, leaving."""
