//! SockJS framing.
