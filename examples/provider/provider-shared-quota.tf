provider "fusebill" {
  # A live account has 1,000 calls a minute. This setting leaves 400 of them to other programs.
  requests_per_minute = 600

  # The time limit for each attempt of a call, and the number of retries after the first attempt.
  request_timeout = "30s"
  max_retries     = 6
}
