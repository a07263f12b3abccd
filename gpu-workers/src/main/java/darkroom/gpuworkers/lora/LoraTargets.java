package darkroom.gpuworkers.lora;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Linear modules of a model that take adapters, and the names that other programs give them.
 *
 * @param modules sizes by name, as diffusers names the modules
 * @param foreign modules by the name that the model's first publisher gave them, one name for several modules where it fused
 *     their weights
 */
public record LoraTargets(SortedMap<String, Size> modules, SortedMap<String, Fused> foreign) {
    public LoraTargets {
        modules = Collections.unmodifiableSortedMap(new TreeMap<>(modules));
        foreign = Collections.unmodifiableSortedMap(new TreeMap<>(foreign));
    }

    /** Sizes of the vectors that a module takes and returns. */
    public record Size(int in, int out) {}

    /**
     * A module in the publisher's form.
     *
     * @param modules that take the same input, in the order in which their outputs are concatenated
     * @param swapped whether the halves of the output are in the opposite order
     */
    public record Fused(List<String> modules, boolean swapped) {
        public Fused {
            modules = List.copyOf(modules);
        }
    }

    /** Returns the sizes of a module. @throws IllegalArgumentException if there is no such module */
    public Size size(String module) {
        Size size = modules.get(module);
        if (size == null) {
            throw new IllegalArgumentException("no module " + module);
        }
        return size;
    }

    /** Returns the modules that a name of either kind means; empty for an unknown name. */
    List<String> meant(String name) {
        Fused fused = foreign.get(name);
        return fused != null ? fused.modules() : modules.containsKey(name) ? List.of(name) : List.of();
    }
}
