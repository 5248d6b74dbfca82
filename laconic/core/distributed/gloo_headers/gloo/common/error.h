// Stands for the header of that name of Gloo, which LibTorch's wheel does not carry (see ../context.h).
#pragma once
