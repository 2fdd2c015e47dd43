"""Random weights with which every layer of a network does something."""

import torch


def initialise(net, momentum):
    """Weights of a variance that keeps activations from fading (He et al. 2015), biases, batch norms with scales and shifts of their own.

    momentum is that of batch norms: 1 takes the statistics of one batch as they are.
    """
    for module in net.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                torch.nn.init.uniform_(module.bias, -0.1, 0.1)
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.3, 0.3)
            module.momentum = momentum
