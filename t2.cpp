#include <amphibus/bus.hpp>
