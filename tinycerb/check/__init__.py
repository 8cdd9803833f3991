"""Is a run what it says it is? Its files compared with its manifest, its figures with the cells that they come from."""
