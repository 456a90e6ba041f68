provider "fusebill" {
  # A live account has 1,000 calls a minute. This leaves 400 of them to others.
  requests_per_minute = 600

  # One try of a call may take this long; up to 6 more follow if it fails.
  request_timeout = "30s"
  max_retries     = 6
}
