"""A client of Albatross hosts: values, wire, certificates, connection."""
