"""Small helpers with the names that Locust's documentation gives them."""
