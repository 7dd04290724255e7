"""The numbers of this project, made so that anybody can make them again: `make bench`."""
