"""A fake of Mailchimp's Marketing API for contacts and tags."""

from connectors.mailchimp.sandbox.app import MailchimpSandbox

__all__ = ["MailchimpSandbox"]
