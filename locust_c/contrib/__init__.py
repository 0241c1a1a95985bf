"""Clients beyond HttpUser's."""
