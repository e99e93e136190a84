/** The descriptors of the door's .proto files. Made by `deno task descriptors`. Pure. */

/** One file, as reflection hands it out. */
export interface DescribedFile {
  /** The name by which other files import it. */
  readonly name: string;
  /** Full names of its messages, enums, services and methods. */
  readonly symbols: readonly string[];
  /** Full names of its services. */
  readonly services: readonly string[];
  /** A `FileDescriptorProto`. */
  readonly base64: string;
}

/** All files of this door. */
export const DESCRIBED_FILES: readonly DescribedFile[] = [
  {
    "name": "chitty_chat.proto",
    "symbols": [
      "chat.ChittyChatServiceIN",
      "chat.ChittyChatServiceIN.Publish",
      "chat.ChittyChatServiceIN.Join",
      "chat.ChittyChatServiceIN.Leave",
      "chat.ChittyChatServiceOUT",
      "chat.ChittyChatServiceOUT.BroadCast",
      "chat.Message",
      "chat.PublishMessageReply",
      "chat.BroadCastRequest",
      "chat.BroadCastReply",
      "chat.JoinRequest",
      "chat.JoinReply",
      "chat.LeaveRequest",
      "chat.LeaveReply",
    ],
    "services": [
      "chat.ChittyChatServiceIN",
      "chat.ChittyChatServiceOUT",
    ],
    "base64":
      "ChFjaGl0dHlfY2hhdC5wcm90bxIEY2hhdCJ6CgdNZXNzYWdlEg8KB21lc3NhZ2UYASABKAkSEwoLbGFtcG9ydFRpbWUYAiABKAUSFQoNcGFydGljaXBhbnRJRBgDIAEoCRIRCglpc1B1Ymxpc2gYBCABKAgSDgoGaXNKb2luGAUgASgIEg8KB2lzTGVhdmUYBiABKAgiOQoTUHVibGlzaE1lc3NhZ2VSZXBseRINCgVyZXBseRgBIAEoCRITCgtsYW1wb3J0VGltZRgCIAEoBSJYChBCcm9hZENhc3RSZXF1ZXN0EhUKDXBhcnRpY2lwYW50SUQYASABKAkSGAoHbWVzc2FnZRgCIAEoCzIHTWVzc2FnZRITCgtsYW1wb3J0VGltZRgDIAEoBSJLCg5Ccm9hZENhc3RSZXBseRIVCg1wYXJ0aWNpcGFudElEGAEgASgJEg0KBXJlcGx5GAIgASgJEhMKC2xhbXBvcnRUaW1lGAMgASgFIjkKC0pvaW5SZXF1ZXN0EhUKDXBhcnRpY2lwYW50SUQYASABKAkSEwoLbGFtcG9ydFRpbWUYAiABKAUiRgoJSm9pblJlcGx5EhUKDXBhcnRpY2lwYW50SUQYASABKAkSDQoFcmVwbHkYAiABKAkSEwoLbGFtcG9ydFRpbWUYAyABKAUiOgoMTGVhdmVSZXF1ZXN0EhUKDXBhcnRpY2lwYW50SUQYASABKAkSEwoLbGFtcG9ydFRpbWUYAiABKAUiRwoKTGVhdmVSZXBseRIVCg1wYXJ0aWNpcGFudElEGAEgASgJEg0KBXJlcGx5GAIgASgJEhMKC2xhbXBvcnRUaW1lGAMgASgFMqUBChNDaGl0dHlDaGF0U2VydmljZUlOEjMKB1B1Ymxpc2gSDS5jaGF0Lk1lc3NhZ2UaGS5jaGF0LlB1Ymxpc2hNZXNzYWdlUmVwbHkSKgoESm9pbhIRLmNoYXQuSm9pblJlcXVlc3QaDy5jaGF0LkpvaW5SZXBseRItCgVMZWF2ZRISLmNoYXQuTGVhdmVSZXF1ZXN0GhAuY2hhdC5MZWF2ZVJlcGx5MlEKFENoaXR0eUNoYXRTZXJ2aWNlT1VUEjkKCUJyb2FkQ2FzdBIWLmNoYXQuQnJvYWRDYXN0UmVxdWVzdBoULmNoYXQuQnJvYWRDYXN0UmVwbHliBnByb3RvMw==",
  },
  {
    "name": "grpc/health/v1/health.proto",
    "symbols": [
      "grpc.health.v1.Health",
      "grpc.health.v1.Health.Check",
      "grpc.health.v1.Health.Watch",
      "grpc.health.v1.HealthCheckRequest",
      "grpc.health.v1.HealthCheckResponse",
      "grpc.health.v1.HealthCheckResponse.ServingStatus",
    ],
    "services": [
      "grpc.health.v1.Health",
    ],
    "base64":
      "ChtncnBjL2hlYWx0aC92MS9oZWFsdGgucHJvdG8SDmdycGMuaGVhbHRoLnYxIiUKEkhlYWx0aENoZWNrUmVxdWVzdBIPCgdzZXJ2aWNlGAEgASgJIoUBChNIZWFsdGhDaGVja1Jlc3BvbnNlEh0KBnN0YXR1cxgBIAEoDjINU2VydmluZ1N0YXR1cyJPCg1TZXJ2aW5nU3RhdHVzEgsKB1VOS05PV04QABILCgdTRVJWSU5HEAESDwoLTk9UX1NFUlZJTkcQAhITCg9TRVJWSUNFX1VOS05PV04QAzKuAQoGSGVhbHRoElAKBUNoZWNrEiIuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXF1ZXN0GiMuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXNwb25zZRJSCgVXYXRjaBIiLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVxdWVzdBojLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVzcG9uc2UwAWIGcHJvdG8z",
  },
  {
    "name": "grpc/reflection/v1/reflection.proto",
    "symbols": [
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1.ServerReflection.ServerReflectionInfo",
      "grpc.reflection.v1.ServerReflectionRequest",
      "grpc.reflection.v1.ExtensionRequest",
      "grpc.reflection.v1.ServerReflectionResponse",
      "grpc.reflection.v1.FileDescriptorResponse",
      "grpc.reflection.v1.ExtensionNumberResponse",
      "grpc.reflection.v1.ListServiceResponse",
      "grpc.reflection.v1.ServiceResponse",
      "grpc.reflection.v1.ErrorResponse",
    ],
    "services": [
      "grpc.reflection.v1.ServerReflection",
    ],
    "base64":
      "CiNncnBjL3JlZmxlY3Rpb24vdjEvcmVmbGVjdGlvbi5wcm90bxISZ3JwYy5yZWZsZWN0aW9uLnYxIvEBChdTZXJ2ZXJSZWZsZWN0aW9uUmVxdWVzdBIMCgRob3N0GAEgASgJEhoKEGZpbGVfYnlfZmlsZW5hbWUYAyABKAlIABIgChZmaWxlX2NvbnRhaW5pbmdfc3ltYm9sGAQgASgJSAASNQoZZmlsZV9jb250YWluaW5nX2V4dGVuc2lvbhgFIAEoCzIQRXh0ZW5zaW9uUmVxdWVzdEgAEicKHWFsbF9leHRlbnNpb25fbnVtYmVyc19vZl90eXBlGAYgASgJSAASFwoNbGlzdF9zZXJ2aWNlcxgHIAEoCUgAQhEKD21lc3NhZ2VfcmVxdWVzdCJFChBFeHRlbnNpb25SZXF1ZXN0EhcKD2NvbnRhaW5pbmdfdHlwZRgBIAEoCRIYChBleHRlbnNpb25fbnVtYmVyGAIgASgFItQCChhTZXJ2ZXJSZWZsZWN0aW9uUmVzcG9uc2USEgoKdmFsaWRfaG9zdBgBIAEoCRIxChBvcmlnaW5hbF9yZXF1ZXN0GAIgASgLMhdTZXJ2ZXJSZWZsZWN0aW9uUmVxdWVzdBI6ChhmaWxlX2Rlc2NyaXB0b3JfcmVzcG9uc2UYBCABKAsyFkZpbGVEZXNjcmlwdG9yUmVzcG9uc2VIABJBCh5hbGxfZXh0ZW5zaW9uX251bWJlcnNfcmVzcG9uc2UYBSABKAsyF0V4dGVuc2lvbk51bWJlclJlc3BvbnNlSAASNQoWbGlzdF9zZXJ2aWNlc19yZXNwb25zZRgGIAEoCzITTGlzdFNlcnZpY2VSZXNwb25zZUgAEicKDmVycm9yX3Jlc3BvbnNlGAcgASgLMg1FcnJvclJlc3BvbnNlSABCEgoQbWVzc2FnZV9yZXNwb25zZSI3ChZGaWxlRGVzY3JpcHRvclJlc3BvbnNlEh0KFWZpbGVfZGVzY3JpcHRvcl9wcm90bxgBIAMoDCJLChdFeHRlbnNpb25OdW1iZXJSZXNwb25zZRIWCg5iYXNlX3R5cGVfbmFtZRgBIAEoCRIYChBleHRlbnNpb25fbnVtYmVyGAIgAygFIjcKE0xpc3RTZXJ2aWNlUmVzcG9uc2USIAoHc2VydmljZRgBIAMoCzIPU2VydmljZVJlc3BvbnNlIh8KD1NlcnZpY2VSZXNwb25zZRIMCgRuYW1lGAEgASgJIjoKDUVycm9yUmVzcG9uc2USEgoKZXJyb3JfY29kZRgBIAEoBRIVCg1lcnJvcl9tZXNzYWdlGAIgASgJMokBChBTZXJ2ZXJSZWZsZWN0aW9uEnUKFFNlcnZlclJlZmxlY3Rpb25JbmZvEisuZ3JwYy5yZWZsZWN0aW9uLnYxLlNlcnZlclJlZmxlY3Rpb25SZXF1ZXN0GiwuZ3JwYy5yZWZsZWN0aW9uLnYxLlNlcnZlclJlZmxlY3Rpb25SZXNwb25zZSgBMAFiBnByb3RvMw==",
  },
  {
    "name": "grpc/reflection/v1alpha/reflection.proto",
    "symbols": [
      "grpc.reflection.v1alpha.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo",
      "grpc.reflection.v1alpha.ServerReflectionRequest",
      "grpc.reflection.v1alpha.ExtensionRequest",
      "grpc.reflection.v1alpha.ServerReflectionResponse",
      "grpc.reflection.v1alpha.FileDescriptorResponse",
      "grpc.reflection.v1alpha.ExtensionNumberResponse",
      "grpc.reflection.v1alpha.ListServiceResponse",
      "grpc.reflection.v1alpha.ServiceResponse",
      "grpc.reflection.v1alpha.ErrorResponse",
    ],
    "services": [
      "grpc.reflection.v1alpha.ServerReflection",
    ],
    "base64":
      "CihncnBjL3JlZmxlY3Rpb24vdjFhbHBoYS9yZWZsZWN0aW9uLnByb3RvEhdncnBjLnJlZmxlY3Rpb24udjFhbHBoYSLxAQoXU2VydmVyUmVmbGVjdGlvblJlcXVlc3QSDAoEaG9zdBgBIAEoCRIaChBmaWxlX2J5X2ZpbGVuYW1lGAMgASgJSAASIAoWZmlsZV9jb250YWluaW5nX3N5bWJvbBgEIAEoCUgAEjUKGWZpbGVfY29udGFpbmluZ19leHRlbnNpb24YBSABKAsyEEV4dGVuc2lvblJlcXVlc3RIABInCh1hbGxfZXh0ZW5zaW9uX251bWJlcnNfb2ZfdHlwZRgGIAEoCUgAEhcKDWxpc3Rfc2VydmljZXMYByABKAlIAEIRCg9tZXNzYWdlX3JlcXVlc3QiRQoQRXh0ZW5zaW9uUmVxdWVzdBIXCg9jb250YWluaW5nX3R5cGUYASABKAkSGAoQZXh0ZW5zaW9uX251bWJlchgCIAEoBSLUAgoYU2VydmVyUmVmbGVjdGlvblJlc3BvbnNlEhIKCnZhbGlkX2hvc3QYASABKAkSMQoQb3JpZ2luYWxfcmVxdWVzdBgCIAEoCzIXU2VydmVyUmVmbGVjdGlvblJlcXVlc3QSOgoYZmlsZV9kZXNjcmlwdG9yX3Jlc3BvbnNlGAQgASgLMhZGaWxlRGVzY3JpcHRvclJlc3BvbnNlSAASQQoeYWxsX2V4dGVuc2lvbl9udW1iZXJzX3Jlc3BvbnNlGAUgASgLMhdFeHRlbnNpb25OdW1iZXJSZXNwb25zZUgAEjUKFmxpc3Rfc2VydmljZXNfcmVzcG9uc2UYBiABKAsyE0xpc3RTZXJ2aWNlUmVzcG9uc2VIABInCg5lcnJvcl9yZXNwb25zZRgHIAEoCzINRXJyb3JSZXNwb25zZUgAQhIKEG1lc3NhZ2VfcmVzcG9uc2UiNwoWRmlsZURlc2NyaXB0b3JSZXNwb25zZRIdChVmaWxlX2Rlc2NyaXB0b3JfcHJvdG8YASADKAwiSwoXRXh0ZW5zaW9uTnVtYmVyUmVzcG9uc2USFgoOYmFzZV90eXBlX25hbWUYASABKAkSGAoQZXh0ZW5zaW9uX251bWJlchgCIAMoBSI3ChNMaXN0U2VydmljZVJlc3BvbnNlEiAKB3NlcnZpY2UYASADKAsyD1NlcnZpY2VSZXNwb25zZSIfCg9TZXJ2aWNlUmVzcG9uc2USDAoEbmFtZRgBIAEoCSI6Cg1FcnJvclJlc3BvbnNlEhIKCmVycm9yX2NvZGUYASABKAUSFQoNZXJyb3JfbWVzc2FnZRgCIAEoCTKTAQoQU2VydmVyUmVmbGVjdGlvbhJ/ChRTZXJ2ZXJSZWZsZWN0aW9uSW5mbxIwLmdycGMucmVmbGVjdGlvbi52MWFscGhhLlNlcnZlclJlZmxlY3Rpb25SZXF1ZXN0GjEuZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEuU2VydmVyUmVmbGVjdGlvblJlc3BvbnNlKAEwAWIGcHJvdG8z",
  },
];
