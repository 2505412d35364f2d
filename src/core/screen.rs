//! Fits text and options into a gateway's page.
