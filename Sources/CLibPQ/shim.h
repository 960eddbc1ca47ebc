#pragma once
#include <libpq-fe.h>
// For mallopt, which Swift's Glibc module leaves out.
#include <malloc.h>
#include "sha256.h"
