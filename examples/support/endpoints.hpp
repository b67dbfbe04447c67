#pragma once

#include <string>

namespace support {

/// A free endpoint of the kind of `like`, so that several demos run at once: for `ipc://` a socket called `name` in
/// `directory`, else a tcp port of this machine that is free now; the kernel does not hand it out again soon.
std::string free_endpoint(const std::string& like, const std::string& name, const std::string& directory);

}  // namespace support
