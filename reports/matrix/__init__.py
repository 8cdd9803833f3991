"""Tables and charts of `tinycerb bench matrix`, from `results.json` alone."""
