// A file descriptor that is closed with its owner, and pipes of two of them.
#pragma once

#include <utility>

namespace laconic {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close();
  void make_nonblocking() const;

 private:
  int fd_;
};

struct Pipe {
  Descriptor read, write;
};
// Closed on exec. An Error of kind io when the system has no more.
Pipe make_pipe();

// Writes without a SIGPIPE, whatever the process does on that signal. As ::write otherwise: -1 and errno, EPIPE when
// nobody reads any more.
long write_quietly(int fd, const char* data, unsigned long bytes);

}  // namespace laconic
