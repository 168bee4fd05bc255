# The program alone, for CI systems that run their steps in containers:
#
#     docker build -t dmscope . && docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" dmscope lint recordings/
#
# Reports are written as the user of --user; GitLab asks for `entrypoint: [""]` beside the image's name.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo install --locked --no-default-features --path . --root /out

FROM debian:bookworm-slim
COPY --from=build /out/bin/dmscope /usr/local/bin/dmscope
RUN useradd --system dmscope
USER dmscope
WORKDIR /work
ENTRYPOINT ["dmscope"]
