"""What makes a protected model its owner's: a secret key that the lies of a defence are drawn from."""
