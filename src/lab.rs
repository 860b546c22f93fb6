//! Composes zone, server and stand-ins on loopback. Gives out URLs and a shutdown, nothing else.
