"""The pages that people read: templates over the very JSON that the API answers, and the words they use for figures."""
