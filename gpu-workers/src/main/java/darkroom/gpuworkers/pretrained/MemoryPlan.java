package darkroom.gpuworkers.pretrained;

import java.util.List;

/**
 * Memory that a role needs on one device, by what it is for. Weights, adapters and latents are exact; activations are upper
 * estimates. What a driver, PyTorch's own code and the gaps of its allocator take comes on top.
 *
 * @param role {@code rollout}, {@code trainer} or {@code encoder}
 */
public record MemoryPlan(String role, List<Item> items) {
    public MemoryPlan {
        items = List.copyOf(items);
    }

    /**
     * A part of the memory.
     *
     * @param name what it holds
     * @param origin how the number is calculated
     */
    public record Item(String name, long bytes, String origin) {}

    /** Returns the bytes that are needed at the same time. */
    public long bytes() {
        return items.stream().mapToLong(Item::bytes).reduce(0, Math::addExact);
    }
}
