package darkroom.gpuworkers.pretrained;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The contents of a model folder, and its faults.
 *
 * @param pipeline class name of the pipeline
 * @param licence as the folder states it
 * @param digest of the weights of all components, see {@link ComponentWeights#digest}; empty while there are problems
 * @param plans memory of each role; empty while there are problems
 * @param problems each with the file, what is wrong and what to do
 */
public record ModelReport(
        Path folder,
        String pipeline,
        List<Component> components,
        String licence,
        Optional<String> digest,
        List<MemoryPlan> plans,
        List<String> problems) {
    public ModelReport {
        components = List.copyOf(components);
        plans = List.copyOf(plans);
        problems = List.copyOf(problems);
    }

    /**
     * A component with weights.
     *
     * @param name its folder
     * @param type class name in diffusers or transformers
     * @param architecture sizes in words
     * @param types element types of its tensors, as safetensors names them
     * @param parameters number of values
     */
    public record Component(
            String name, String type, String architecture, List<String> types, long parameters, long bytes) {
        public Component {
            types = List.copyOf(types);
        }
    }
}
