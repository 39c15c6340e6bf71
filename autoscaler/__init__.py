"""An autoscaler for MirageOS unikernels that run on Albatross hosts."""
