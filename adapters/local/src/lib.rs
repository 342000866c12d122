//! faas-sdk functions on a laptop: a development server and one-shot calls
