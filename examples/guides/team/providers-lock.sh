# In the repository:
terraform providers lock -fs-mirror=providers -platform=linux_amd64 -platform=darwin_arm64
