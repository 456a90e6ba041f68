terraform providers lock -fs-mirror="$HOME/.terraform.d/plugins" \
  -platform=linux_amd64 -platform=darwin_arm64 -platform=windows_amd64
