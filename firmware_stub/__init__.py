"""C sources of the firmware; a package only so that they are installed with TinyCerb and can be found."""
