"""The learner's pages: server-rendered, without a build step, and whole without JavaScript."""
