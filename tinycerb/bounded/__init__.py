"""Files that come from elsewhere: what they are, and how much they ask for, is looked at before they get it."""
