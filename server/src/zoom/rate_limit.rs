//! How often Zoom's REST API may be asked.
